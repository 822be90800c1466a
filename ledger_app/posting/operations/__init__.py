"""Operations of posting: the only code of this subject that writes."""
