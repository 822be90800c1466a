"""Operations of batches: the only code of this subject that writes."""
