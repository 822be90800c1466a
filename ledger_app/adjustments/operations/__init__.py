"""Operations of adjustments: the only code of this subject that writes."""
