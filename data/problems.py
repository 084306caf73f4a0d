"""Errors as part of the design: each says what was wrong, which rule it broke and what would fix it.

The same shape is raised in Python, crosses the engine link and is answered over HTTP as an
RFC 9457 problem document. This module must not know of HTTP frameworks or exit codes.
"""

from __future__ import annotations

from typing import ClassVar

import msgspec


class ProblemDocument(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error on the wire (RFC 9457). ``type`` is stable and safe to program against."""

    type: str
    title: str
    status: int
    detail: str
    rule: str | None = None  #: the rule that was broken
    fix: str | None = None  #: what would make it pass
    extra: dict[str, str] = {}  #: further facts, e.g. ``value``, ``limit``, ``client_order_id``


class ProblemError(Exception):
    """Base of all our errors. Subclasses fix ``type``, ``title`` and ``status``."""

    type: ClassVar[str] = "internal"
    title: ClassVar[str] = "Internal error"
    status: ClassVar[int] = 500

    def __init__(self, detail: str, *, rule: str | None = None, fix: str | None = None, **extra: str) -> None:
        super().__init__(detail)
        self.detail = detail
        self.rule = rule
        self.fix = fix
        self.extra = extra

    def document(self) -> ProblemDocument:
        """Return the error as it goes on the wire."""
        return ProblemDocument(
            type=self.type,
            title=self.title,
            status=self.status,
            detail=self.detail,
            rule=self.rule,
            fix=self.fix,
            extra=self.extra,
        )


class InvalidRequestError(ProblemError):
    """The request itself is wrong; nothing was changed."""

    type, title, status = "invalid-request", "Invalid request", 400


class UnauthorizedError(ProblemError):
    """No valid credential."""

    type, title, status = "unauthorized", "Not authenticated", 401


class ForbiddenError(ProblemError):
    """The role may not do this."""

    type, title, status = "forbidden", "Not allowed", 403


class OrderAuthorityError(ForbiddenError):
    """Another holds the order authority, or nobody does where one has to; ``holder`` says who, if any."""

    type, title, status = "order-authority", "Order authority needed", 403


class NotFoundError(ProblemError):
    """The thing named does not exist."""

    type, title, status = "not-found", "Not found", 404


class ConflictError(ProblemError):
    """The state does not allow it now, or the id was used for something else."""

    type, title, status = "conflict", "Conflict", 409


class UnsupportedMediaTypeError(ProblemError):
    """What was sent is in a form that is not understood here."""

    type, title, status = "unsupported-media-type", "Unsupported media type", 415


class UpgradeRequiredError(ProblemError):
    """What is there speaks WebSocket, and it was not asked to."""

    type, title, status = "upgrade-required", "WebSocket needed", 426


class DeniedError(ProblemError):
    """Denied before it left the house: by a limit, a tick or lot rule, or for want of a fact."""

    type, title, status = "denied", "Order denied", 422


class RejectedError(ProblemError):
    """The venue said no."""

    type, title, status = "rejected", "Order rejected", 422


class EngineFailedError(ProblemError):
    """An engine could not do what it was asked."""

    type, title, status = "engine-failed", "Engine failed", 500


class RateLimitedError(ProblemError):
    """More was sent, or less was read, than the rules allow."""

    type, title, status = "rate-limited", "Too many requests", 429


class UnavailableError(ProblemError):
    """A part that is needed is not there: an engine, a feed, a store."""

    type, title, status = "unavailable", "Not available", 503


class JournalFailedError(ProblemError):
    """The journal could not be written or opened: nothing may be traded until it can."""

    type, title, status = "journal-failed", "Journal failed", 503


class StoreFailedError(ProblemError):
    """The history could not be read or written; what was stored before is still there."""

    type, title, status = "store-failed", "Store failed", 503


class StoreHeldError(UnavailableError):
    """Another process, the daemon, has the store open; it has one writer only."""

    type, title, status = "store-held", "Store is held by another process", 503


class OutcomeUnknownError(ProblemError):
    """It was sent and no answer came: it may or may not have happened."""

    type, title, status = "outcome-unknown", "Outcome unknown", 504


# ---------------------------------------------------------------- providers of facts


class ProviderError(ProblemError):
    """A provider of facts did not give what it was asked for; ``name`` is what programs look at.

    ``retry_after`` is the time in seconds after which asking again may help; None: it will not.
    """

    name: ClassVar[str] = "ProviderError"
    type, title, status = "provider-error", "Provider failed", 502

    def __init__(
        self,
        detail: str,
        *,
        rule: str | None = None,
        fix: str | None = None,
        retry_after: float | None = None,
        **extra: str,
    ) -> None:
        super().__init__(detail, rule=rule, fix=fix, **{"error": self.name, **extra})
        self.retry_after = retry_after


class NotConfiguredError(ProviderError):
    """A key or an identification that the provider wants is not set, or is not accepted."""

    name = "NotConfigured"
    type, title, status = "provider-not-configured", "Provider not configured", 503


class ProviderRateLimitedError(ProviderError):
    """More was asked than the provider allows for a moment; ``until`` (ISO 8601) says how long."""

    name = "RateLimited"
    type, title, status = "provider-rate-limited", "Provider limits the rate", 503


class QuotaExhaustedError(ProviderError):
    """The day's requests are used up; ``reset`` (ISO 8601) is when there are new ones."""

    name = "QuotaExhausted"
    type, title, status = "provider-quota-exhausted", "Provider quota exhausted", 503


class NotEntitledError(ProviderError):
    """The key may not ask for this."""

    name = "NotEntitled"
    type, title, status = "provider-not-entitled", "Not entitled", 403


class ProviderNotFoundError(ProviderError):
    """The provider does not have what was asked for."""

    name = "NotFound"
    type, title, status = "provider-not-found", "Provider does not have it", 404


class ProviderBadRequestError(ProviderError):
    """The provider says that the request is wrong."""

    name = "BadRequest"
    type, title, status = "provider-bad-request", "Provider refuses the request", 400


class ProviderDownError(ProviderError):
    """The provider cannot be reached, is too slow or fails."""

    name = "ProviderDown"
    type, title, status = "provider-down", "Provider is down", 502


class BadPayloadError(ProviderError):
    """The provider answered something that is not what it says it is; nothing of it is used."""

    name = "BadPayload"
    type, title, status = "provider-bad-payload", "Provider answered nonsense", 502


_BY_TYPE: dict[str, type[ProblemError]] = {
    cls.type: cls
    for cls in (
        ProblemError,
        InvalidRequestError,
        UnauthorizedError,
        ForbiddenError,
        OrderAuthorityError,
        NotFoundError,
        ConflictError,
        UnsupportedMediaTypeError,
        UpgradeRequiredError,
        DeniedError,
        RejectedError,
        EngineFailedError,
        UnavailableError,
        JournalFailedError,
        StoreFailedError,
        StoreHeldError,
        RateLimitedError,
        OutcomeUnknownError,
        ProviderError,
        NotConfiguredError,
        ProviderRateLimitedError,
        QuotaExhaustedError,
        NotEntitledError,
        ProviderNotFoundError,
        ProviderBadRequestError,
        ProviderDownError,
        BadPayloadError,
    )
}


def from_document(document: ProblemDocument) -> ProblemError:
    """Return the exception that a problem document was made from."""
    cls = _BY_TYPE.get(document.type, ProblemError)
    error = cls(document.detail, rule=document.rule, fix=document.fix)
    error.extra = dict(document.extra)  # set as they are: one of them may be called as an argument is
    return error
