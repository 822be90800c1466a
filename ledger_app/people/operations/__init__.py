"""Operations of users: the only code of this subject that writes."""
