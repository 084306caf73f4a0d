"""Where facts come from: FRED, Alpha Vantage and EDGAR, each beside a sandbox twin.

A twin speaks its provider's real paths and shapes over generated data, and is asked by the same
client code. Nothing in here may know of engines, risk, HTTP servers or terminals.
"""
