"""What looking ahead did to a line, in words: before a price moves, before a closure, together with other lines."""

import numpy as np
from jaxtyping import Float

from stockcast.inventory import Outlook, Situation
from stockcast.policies.ahead.looking import Looked


def words(
    situation: Situation,
    one: Looked,
    outlook: Outlook,
    near: Float[np.ndarray, " series"],
    final: Float[np.ndarray, " series"],
) -> dict[int, str]:
    """Give what to add to the reason of each line of one order, by row."""
    rows, time = one.order.rows, situation.past.time
    follows = one.next_order(final[rows])
    ordered = int((final[rows] > 0).sum())
    found = {}
    for at, row in enumerate(rows.tolist()):
        texts = []
        when = time.date(time.n + int(follows[at]))
        more, closed = final[row] - near[row], outlook.closed_until[row]
        costs, then = outlook.unit_cost[row], int((outlook.reviews[row] <= follows[at]).sum()) - 1
        now, price = float(costs[0]), float(costs[then])
        if more and not np.isnat(outlook.changes[row]) and np.isfinite(price) and price != now:
            moves = f"from {now:.2f} to {price:.2f} on {outlook.changes[row]}"
            if more > 0 and price > now:
                texts.append(f"bought before the price rises {moves}")
            elif more < 0 and price < now:
                texts.append(f"the rest waits for the price to fall {moves}")
        if final[row] > 0 and more > 0 and not np.isnat(closed) and when > closed:
            texts.append(f"brought forward: {situation.terms.supplier[row]} is closed until {closed}")
        if final[row] > 0:
            others = ordered - 1
            with_them = f"together with {others} other line{'s' * (others != 1)}, " if others else ""
            # the end is the first review that is not looked at: whether it orders, nobody has asked
            following = f"next order {when}" if follows[at] < one.tables.times[-1] else f"no other order before {when}"
            texts.append(f"{with_them}{following}")
        elif near[row] > 0:
            texts.append(f"it waits for the order of {when}, which others share")
        if texts:
            found[row] = ", ".join(texts)
    return found
