"""Operations of members: the only code of this subject that writes."""
