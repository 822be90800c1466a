"""Operations of decisions on batches: the only code of this subject that writes."""
