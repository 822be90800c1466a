"""Operations of ``verify``: the only code of this subject that writes."""
