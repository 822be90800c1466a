"""Operations of receiving: the only code of this subject that writes."""
