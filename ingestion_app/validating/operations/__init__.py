"""Operations of validation: the only code of this subject that writes."""
