"""What a command says about orders: the ids it uses, the orders it sends, why one came to nothing.

Pure functions of commands and orders. This module must not know how a command is carried out.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from data.commands import AnyCommand, ClosePosition, Flatten, Outcome, SubmitBracket, SubmitOco, SubmitOrder
from data.problems import DeniedError, ProblemDocument, RejectedError
from data.records import FINAL_STATUSES, OrderUpdate
from engines.denials import denied_error


def default_id(command: AnyCommand) -> str | None:
    """Return the id a command has when its sender gives none: that of its order, if it makes one."""
    if isinstance(command, SubmitOrder | SubmitBracket | SubmitOco | ClosePosition | Flatten):
        return command.client_order_id
    return None


def order_ids(command: AnyCommand) -> list[str]:
    """Return the client order ids that a command is known to use before it is carried out."""
    match command:
        case SubmitOrder() | ClosePosition():
            return [command.client_order_id]
        case SubmitBracket():
            return [command.client_order_id, f"{command.client_order_id}-TP", f"{command.client_order_id}-SL"]
        case SubmitOco():
            return [f"{command.client_order_id}-A", f"{command.client_order_id}-B"]
        case _:
            return []


def sent_orders(
    command: SubmitOrder | SubmitBracket | SubmitOco, ts: int, synthetic: bool
) -> list[OrderUpdate]:
    """Return a command's orders in state ``sent``."""
    first = OrderUpdate(
        engine=command.engine,
        client_order_id=command.client_order_id,
        instrument=command.instrument,
        side=command.side,
        order_type="market",
        tif=command.tif,
        qty=command.qty,
        ts_expire=command.ts_expire,
        status="sent",
        event="sent",
        ts_init=ts,
        ts=ts,
        synthetic=synthetic,
    )
    replace = msgspec.structs.replace
    id_ = command.client_order_id
    match command:
        case SubmitOrder():
            return [
                replace(
                    first,
                    order_type=command.order_type,
                    price=command.price,
                    trigger_price=command.trigger_price,
                    trailing_offset=command.trailing_offset,
                    reduce_only=command.reduce_only,
                )
            ]
        case SubmitBracket():
            side: Literal["buy", "sell"] = "sell" if command.side == "buy" else "buy"
            child = replace(first, side=side, parent_id=id_, contingency="ouo", reduce_only=True, tif="gtc")
            names = (f"{id_}-TP", f"{id_}-SL")
            return [
                replace(
                    first,
                    order_type=command.order_type,
                    price=command.price,
                    contingency="oto",
                    linked_ids=names,
                ),
                _limit(child, names[0], command.take_profit, names[1]),
                _stop(child, names[1], command.stop_loss, names[0]),
            ]
        case SubmitOco():
            pair = replace(first, contingency="oco", reduce_only=command.reduce_only)
            return [
                _limit(pair, f"{id_}-A", command.limit_price, f"{id_}-B"),
                _stop(pair, f"{id_}-B", command.stop_price, f"{id_}-A"),
            ]


def _limit(base: OrderUpdate, id_: str, price: Decimal, linked: str) -> OrderUpdate:
    return msgspec.structs.replace(
        base, client_order_id=id_, order_type="limit", price=price, linked_ids=(linked,)
    )


def _stop(base: OrderUpdate, id_: str, price: Decimal, linked: str) -> OrderUpdate:
    return msgspec.structs.replace(
        base, client_order_id=id_, order_type="stop_market", trigger_price=price, linked_ids=(linked,)
    )


def order_problem(orders: Sequence[OrderUpdate]) -> ProblemDocument | None:
    """Return why an order that was sent came to nothing, or None if it did not."""
    for order in orders:
        said = order.reason or order.status
        facts = {"client_order_id": order.client_order_id}
        if order.status == "denied" and order.denial is not None:
            return denied_error(f"order {order.client_order_id} denied", order.denial, **facts).document()
        if order.status == "denied":
            return DeniedError(f"order {order.client_order_id} denied: {said}", rule=said, **facts).document()
        if order.status == "rejected":
            return RejectedError(
                f"order {order.client_order_id} rejected: {said}", rule=said, **facts
            ).document()
    return None


def no_longer_unknown(outcome: Outcome, orders: Sequence[OrderUpdate]) -> Outcome:
    """Return an outcome that was unknown as it is now known to have been, if it is."""
    told = all(order.seq or order.status in FINAL_STATUSES for order in orders)
    if not told:
        return outcome
    problem = order_problem(orders)
    if problem is None:
        return msgspec.structs.replace(outcome, outcome="done", problem=None)
    verdict: Literal["refused", "failed"] = "refused" if problem.type == DeniedError.type else "failed"
    return msgspec.structs.replace(outcome, outcome=verdict, problem=problem)
