"""The close of a period: what stands in its way, control totals, the freeze, the seal, and the audit kit."""
