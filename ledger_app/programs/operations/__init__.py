"""Operations of what programs ask for: the only code of this subject that writes."""
