"""Operations of exports to accounting: the only code of this subject that writes."""
