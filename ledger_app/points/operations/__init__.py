"""Operations of points: the only code of this subject that writes."""
