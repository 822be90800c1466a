"""Operations of what every subject stands on: the only code of this subject that writes."""
