"""The panes of the Research workspace: companies, their filings, facts, insiders and holdings."""
