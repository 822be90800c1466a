"""Operations of rights: the only code of this subject that writes."""
