"""Operations of the close: the only code of this subject that writes."""
