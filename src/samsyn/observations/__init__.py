"""One schema for what every source claims: columns with units, plausibility marks, Parquet."""
