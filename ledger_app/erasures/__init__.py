"""Members' personal data: names corrected, data handed out, and what tells who a member is erased by two people."""
