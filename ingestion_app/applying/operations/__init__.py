"""Operations of applying: the only code of this subject that writes."""
