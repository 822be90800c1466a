"""Operations of erasures: the only code of this subject that writes."""
