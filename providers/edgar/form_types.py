"""The forms that are filed, what each is in plain words, and which are one form under two names.

This module must not know of companies or of the wire.
"""

from __future__ import annotations

from functools import lru_cache

from data.companies import FormType

#: Category, then form | title | what it tells. One line a form; amendments are not listed.
_TABLE = """
Annual and quarterly reports
10-K | Annual report | Audited statements, business, risks and management's discussion of a fiscal year.
10-Q | Quarterly report | Unaudited statements and discussion of one of the first three fiscal quarters.
10-KT | Transition report, annual | Covers the months between two fiscal years when the year-end moves.
10-QT | Transition report, quarterly | A quarterly report for the months in which the year-end moves.
10-K405 | Annual report (until 2002) | A 10-K that told of an insider who had reported late.
10-KSB | Annual report of a small business (until 2009) | A shorter annual report for small companies.
10-QSB | Quarterly report of a small business (until 2008) | A shorter quarterly report for small companies.
10-KSB40 | Annual report of a small business (until 2003) | A 10-KSB that told of late insider reports.
11-K | Annual report of an employee stock plan | Statements of a plan through which employees buy shares.
10-D | Report of an asset-backed issuer | Payments and performance of the pool behind securities.
ARS | Annual report to shareholders | The report that shareholders get by mail, as a file.
NT 10-K | Late annual report | Says that the annual report will be late, and why.
NT 10-Q | Late quarterly report | Says that the quarterly report will be late, and why.
NT 20-F | Late annual report, foreign | Says that a foreign company's annual report will be late.
NT 11-K | Late report of an employee plan | Says that a plan's annual report will be late.
NT 10-D | Late report of an asset-backed issuer | Says that a distribution report will be late.
NT-NCEN | Late annual report of a fund | Says that a fund's census will be late.
NT-NCSR | Late shareholder report of a fund | Says that a fund's report will be late.
SD | Specialised disclosure | Conflict minerals, or payments to governments for resources.
Current reports
8-K | Current report | An event that shareholders should know of, within four business days; items say what.
8-K12B | Current report of a successor | A new company takes the place of one listed on an exchange.
8-K12G3 | Current report of a successor | A new company takes the place of a registered one.
8-K15D5 | Current report of a successor | A new company takes over the duty to report.
6-K | Current report, foreign | What a foreign company published at home, sent to the regulator.
Foreign companies
20-F | Annual report, foreign | Annual report or registration of a foreign private issuer.
40-F | Annual report, Canadian | Annual report of a larger Canadian company under the common rules.
20FR12B | Registration, foreign, exchange | A foreign company registers shares for an exchange.
20FR12G | Registration, foreign | A foreign company registers shares that trade elsewhere.
40FR12B | Registration, Canadian, exchange | A Canadian company registers shares for an exchange.
F-1 | Offer of a foreign company | Registers securities that a foreign company offers.
F-3 | Shelf of a foreign company | Registers securities that a seasoned foreign company may sell over time.
F-3ASR | Automatic shelf, foreign | A shelf of a large foreign company, effective at once.
F-4 | Merger of a foreign company | Registers securities that a foreign company gives in a merger.
F-6 | Depositary receipts | Registers receipts for shares of a foreign company.
F-6EF | Depositary receipts, at once | A registration of receipts that is effective at once.
F-10 | Offer of a Canadian company | Registers securities of a larger Canadian company.
F-N | Agent of a foreign bank | Names who takes legal papers for a foreign bank or insurer.
Insiders and owners
3 | Insider's first statement | What a new officer, director or ten per cent owner holds.
4 | Insider's trade | A change of an insider's holding, within two business days.
5 | Insider's annual statement | Trades of the year that were exempt or not reported.
144 | Intended sale by an insider | Notice of selling restricted or control shares.
SC 13D | Owner of more than 5 %, active (until December 2024) | Who owns it, with what money and what plans.
SCHEDULE 13D | Owner of more than 5 %, active | Who owns it, with what money and what plans. Formerly SC 13D.
SC 13G | Owner of more than 5 %, passive (until December 2024) | A short form for those without plans.
SCHEDULE 13G | Owner of more than 5 %, passive | A short form for those without plans. Formerly SC 13G.
13F-HR | Holdings of a manager | Securities held by a manager of over 100 million dollars, each quarter.
13F-NT | Holdings reported by others | A manager says that other managers report what it holds.
13F-CTR | Holdings kept confidential | A request that some of a manager's holdings stay secret.
13H | Large trader | Identifies who trades very large amounts.
N-PX | Votes of a fund | How a fund, or a manager, voted at shareholders' meetings.
Proxies and meetings
DEF 14A | Proxy statement | What shareholders vote on: directors, pay, proposals.
PRE 14A | Proxy statement, draft | A proxy statement before the regulator has looked at it.
DEFA14A | More material for a vote | Letters, slides and talks that go with a proxy statement.
DEFM14A | Proxy statement on a merger | What shareholders vote on when the company merges or is sold.
PREM14A | Proxy statement on a merger, draft | A merger proxy before the regulator has looked at it.
DEFC14A | Proxy statement in a contest | A proxy statement where somebody opposes the board.
PREC14A | Proxy statement in a contest, draft | A contested proxy before the regulator has looked at it.
DFAN14A | Material of the opposition | What others than the board send to shareholders before a vote.
DEFR14A | Proxy statement, revised | A proxy statement that was changed.
PX14A6G | Exempt solicitation | A letter of a shareholder who asks for votes without collecting them.
DEF 14C | Information statement | Tells of a vote that needs no proxies.
PRE 14C | Information statement, draft | An information statement before the regulator has looked at it.
DEFM14C | Information statement on a merger | Tells of a merger that needs no proxies.
Offers and registrations
S-1 | Offer of securities | Registers securities for a public offer, such as a first listing.
S-3 | Shelf | Registers securities that a seasoned company may sell over time.
S-3ASR | Automatic shelf | A shelf of a large company, effective at once.
S-4 | Merger or exchange | Registers securities given in a merger or exchange.
S-8 | Employee shares | Registers shares for employees' plans.
S-8 POS | Employee shares, changed | Changes a registration of shares for employees' plans.
S-11 | Offer of real estate | Registers securities of a company that holds real estate.
SF-1 | Offer of asset-backed securities | Registers asset-backed securities.
SF-3 | Shelf of asset-backed securities | Asset-backed securities that may be sold over time.
S-1MEF | More of an offer | Adds securities to an offer that is effective.
S-3MEF | More of a shelf | Adds securities to a shelf that is effective.
SB-2 | Offer of a small business (until 2008) | Registered securities of a small company.
10-12B | Registration for an exchange | Registers a class of securities for an exchange, such as a spin-off.
10-12G | Registration | Registers a class of securities that many own.
8-A12B | Listing on an exchange | A short registration of a class for an exchange.
8-A12G | Registration, short | A short registration of a class that is not on an exchange.
424A | Prospectus | A prospectus with changes before it is final.
424B1 | Prospectus | A final prospectus that adds what the registration left out.
424B2 | Prospectus of a shelf | Terms of securities sold from a shelf, such as structured notes.
424B3 | Prospectus, changed | A prospectus with facts that came later.
424B4 | Prospectus, final | The final prospectus with the price.
424B5 | Prospectus of a shelf, with price | Terms and price of securities sold from a shelf.
424B7 | Prospectus of selling holders | Names holders who sell from a shelf.
424B8 | Prospectus, late | A prospectus that was not filed in time.
FWP | Free writing prospectus | Material about an offer outside of the prospectus.
POS AM | Registration, changed | Changes a registration after it became effective.
POSASR | Automatic shelf, changed | Changes an automatic shelf after it became effective.
RW | Registration withdrawn | Takes back a registration.
EFFECT | Registration effective | The regulator says that securities may be sold.
DRS | Draft registration | A registration handed in confidentially and published later.
DRSLTR | Letter on a draft registration | Answers the regulator about a draft registration.
425 | Talk about a merger | Material on a business combination.
D | Private offer | Notice of securities sold without registration.
1-A | Small public offer | An offer of up to 75 million dollars under Regulation A.
1-K | Annual report after a small offer | Annual report of a company that used Regulation A.
1-SA | Half-year report after a small offer | Half-year report of a company that used Regulation A.
1-U | Current report after a small offer | An event at a company that used Regulation A.
1-Z | End of reports after a small offer | A company that used Regulation A stops to report.
QUALIF | Small offer qualified | The regulator says that a Regulation A offer may begin.
253G2 | Offering circular | The circular of a Regulation A offer, changed.
C | Crowdfunding offer | An offer through a crowdfunding portal.
C-U | Crowdfunding, progress | How far a crowdfunding offer has come.
C-AR | Crowdfunding, annual report | Annual report of a company that raised money from a crowd.
Takeovers and delisting
SC TO-T | Takeover offer | An offer to buy a company's shares, by somebody else.
SC TO-I | Offer of the issuer | A company offers to buy its own shares.
SC TO-C | Talk before an offer | What is said before an offer to buy begins.
SC 14D9 | Answer to a takeover offer | The company advises shareholders whether to accept.
SC 13E3 | Going private | A transaction that ends public ownership.
SC 14F1 | Change of the board | Tells that most directors change.
25 | Delisting | A company removes a class of securities from an exchange.
25-NSE | Delisting by the exchange | An exchange removes a class of securities.
15-12B | End of registration | A class that was on an exchange is no longer registered.
15-12G | End of registration | A class is no longer registered.
15-15D | Duty to report suspended | A company with few holders stops to report.
15F-12B | End of registration, foreign | A foreign company's class is no longer registered.
Funds and advisers
N-CSR | Shareholder report of a fund | Statements and holdings of a fund for a year.
N-CSRS | Half-year report of a fund | Statements and holdings of a fund for half a year.
NPORT-P | Holdings of a fund | A fund's portfolio, position by position.
NPORT-EX | Holdings of a fund, exhibit | Explanations to a fund's portfolio.
N-CEN | Census of a fund | A fund's yearly answers on how it is organised.
N-MFP | Money market fund, monthly | Holdings and yields of a money market fund (until 2016).
N-MFP2 | Money market fund, monthly | Holdings and yields of a money market fund (until 2024).
N-MFP3 | Money market fund, monthly | Holdings and yields of a money market fund.
N-Q | Holdings of a fund (until 2019) | A fund's portfolio in the quarters between reports.
N-1A | Registration of a fund | Registers an open-end fund.
N-2 | Registration of a closed-end fund | Registers a closed-end fund or business development company.
N-8F | End of a fund | A fund asks to be no longer registered.
485APOS | Fund's prospectus, changed | A change that becomes effective after a while.
485BPOS | Fund's prospectus, changed at once | A change that is effective at once, such as the yearly one.
485BXT | Fund's prospectus, new date | Moves the date on which a change becomes effective.
497 | Fund's prospectus | A prospectus as it is used.
497K | Fund's summary prospectus | A prospectus on a few pages.
497J | Fund's prospectus, no change | Says that the prospectus is as it was registered.
24F-2NT | Fund's sales of the year | How much of its securities a fund sold, for the fee.
40-17G | Fund's insurance | The bond that protects a fund against its staff.
40-APP | Application for an exemption | A fund or adviser asks for an exception from the rules.
ADV-E | Adviser's surprise audit | An accountant looked at the assets that an adviser keeps.
N-30B-2 | Letter of a fund | A periodic report that a fund sends to its holders.
Brokers and others
X-17A-5 | Report of a broker-dealer | Audited statements of a broker.
FOCUSN | Report of a broker-dealer | Figures of a broker on a fixed form.
TA-1 | Transfer agent | Registers who keeps the books of shareholders.
TA-2 | Transfer agent, annual | What a transfer agent did in a year.
MA | Municipal adviser | Registers who advises towns on debt.
CFPORTAL | Crowdfunding portal | Registers a portal.
ATS-N | Trading system | How an alternative trading system for stocks works.
Letters and administration
CORRESP | Letter to the regulator | A company's answer to questions, published later.
UPLOAD | Letter of the regulator | Questions to a company, published later.
CERT | Listing certified | An exchange says that it has approved a listing.
ID-NEWCIK | New filer | A new filer asked for its number.
PAPER | Filed on paper | Says that something was filed on paper.
REVOKED | Registration revoked | The regulator ended a registration.
SP 15D2 | Special report | Statements of a year that a registration left out.
305B2 | Trustee of bonds | A trustee for bonds of a shelf is named.
T-3 | Bonds without registration | An indenture for bonds given in an exchange.
"""


def _read() -> tuple[FormType, ...]:
    forms: list[FormType] = []
    category = ""
    for line in _TABLE.strip().splitlines():
        form, *rest = line.split(" | ")
        if not rest:
            category = form
        else:
            forms.append(FormType(form=form, title=rest[0], about=rest[1], category=category))
    return tuple(forms)


FORM_TYPES = _read()
_BY_FORM = {form_type.form: form_type for form_type in FORM_TYPES}


def _letters(form: str) -> str:
    return "".join(letter for letter in form if letter.isalnum())


_BY_LETTERS = {_letters(form): form for form in _BY_FORM}

#: Names of one form before and after it was renamed.
_RENAMED = (("SC 13D", "SCHEDULE 13D"), ("SC 13G", "SCHEDULE 13G"))
_OTHER_NAME = {**dict(_RENAMED), **{new: old for old, new in _RENAMED}}


def normal(form: str) -> str:
    """Return a form's name as the regulator writes it: capitals, single blanks."""
    return " ".join(form.upper().split())


def names(form: str) -> tuple[str, ...]:
    """Return all names of a form; an amendment's are amendments."""
    form = normal(form)
    base, slash, rest = form.partition("/")
    other = _OTHER_NAME.get(base)
    return (form,) if other is None else (form, f"{other}{slash}{rest}")


def meant(form: str) -> str:
    """Return the form that somebody means, who may leave out dashes and blanks: ``10k`` is ``10-K``."""
    form = normal(form)
    base, slash, rest = form.partition("/")
    if base in _BY_FORM:
        return form
    return f"{_BY_LETTERS.get(_letters(base), base)}{slash}{rest}"


def wanted(forms: tuple[str, ...]) -> frozenset[str]:
    """Return the names of all the forms that are asked for."""
    return frozenset(name for form in forms for name in names(meant(form)))


def is_amendment(form: str) -> bool:
    """Say whether a form amends an earlier filing."""
    return normal(form).endswith("/A")


@lru_cache(maxsize=1024)
def lookup(form: str) -> FormType:
    """Return what a form is.

    An amendment is told from the form it amends. Of a form that is not listed, only its name is known.
    """
    form = normal(form)
    found = _BY_FORM.get(form)
    if found is not None:
        return found
    base, slash, _ = form.partition("/")
    known = _BY_FORM.get(base)
    if known is not None and slash:
        return FormType(
            form=form,
            title=f"{known.title}, amended",
            about=f"Changes an earlier {known.form}. {known.about}",
            category=known.category,
        )
    return FormType(form=form, title=f"Form {form}" if form else "", about="", category="Other")
