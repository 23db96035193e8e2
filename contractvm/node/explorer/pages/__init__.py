"""The pages: each function reads what one page shows and names its template."""
