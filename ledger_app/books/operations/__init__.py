"""Operations of books: the only code of this subject that writes."""
