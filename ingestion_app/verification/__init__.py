"""What must always hold of batches, asked of the rows alone; joins the ledger's ``verify``."""
