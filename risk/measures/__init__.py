"""Value at risk and expected shortfall by seven methods, of one series or of a book by its positions.

``sample`` says what returns can be measured and how a horizon is scaled, ``empirical`` measures by
past returns, ``parametric`` by a distribution's formula, ``tail`` by extreme values, ``simulated`` by
Monte Carlo, ``components`` shares a book's figure out among positions, ``methods`` is where a method is
found by its name. Losses are positive fractions throughout.
This package must not know of files, processes or HTTP.
"""
