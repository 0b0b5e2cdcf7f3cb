"""Codes SC-P…: plan."""

from stockcast.core.codes.entry import Code

CODES: tuple[Code, ...] = (
    Code(
        "SC-P001",
        "the forecast is too short to order by",
        "Lead time and review period (and three standard deviations of the lead time) end after the horizon.",
        "leave forecast.horizon at auto, or give a forecast that reaches further",
    ),
    Code(
        "SC-P002",
        "a limit in money needs a unit cost",
        "A budget or a minimum order value is set, and lines that count towards it have no unit_cost.",
        "give unit_cost in items or item_locations, or drop the limit",
    ),
    Code(
        "SC-P003",
        "no such policy",
        "The policy named under plan.policy is unknown, or comes with a later version.",
        "use auto, optimizer, newsvendor, order_up_to, safety_stock, cover or min_max",
    ),
    Code(
        "SC-P004",
        "the plan breaks its own rules",
        "The independent check found a broken pack, minimum, maximum, review day or budget: a fault of stockcast.",
        "report it with the run's manifest; nothing was published",
    ),
    Code(
        "SC-P010",
        "stockout before an order can arrive",
        "The stock on hand and on order is likely to run out before anything ordered now can arrive.",
        "look for a faster source, or move stock from another location",
    ),
    Code(
        "SC-P011",
        "an open order comes late",
        "The stock is likely to run out before the next open order arrives (a transfer of tonight is none).",
        "expedite the open order",
    ),
    Code(
        "SC-P012",
        "overstock",
        "Stock on hand and on order covers more than half a year of demand; or, where an end_date lies ahead, a tenth "
        "or more of it is expected to be left then, or an order arrives after it.",
        "mark down, return or move the excess; cancel open orders that are not needed or come too late",
    ),
    Code(
        "SC-P013",
        "the minimum order quantity covers many weeks",
        "The MOQ is more than eight weeks of demand: it is ordered only where it pays.",
        "negotiate the minimum, or order together with another item or location",
    ),
    Code(
        "SC-P014",
        "an order was given up",
        "The lines of this supplier do not reach its minimum, or save less than its order cost.",
        "top the order up, or wait for the next review",
    ),
    Code(
        "SC-P015",
        "open orders exceed the budget",
        "What was ordered in this period already is worth more than the budget; the excess is declared as slack.",
        "raise the budget, or cancel open orders",
    ),
    Code(
        "SC-P016",
        "the budget cut orders",
        "The orders that are worth it cost more than what is left of the budget.",
        "raise the budget; priority and cumulative_spend rank the lines",
    ),
    Code(
        "SC-P017",
        "planned without the solver",
        "The solver failed, ran out of time, or its plan broke a rule; the analytic plan took its place.",
        "look at solves in manifest.json; raise the deadline where it ran out of time",
    ),
    Code(
        "SC-P018",
        "stock exceeds the room",
        "What is expected at a location when orders arrive takes more volume than it holds, without any new order.",
        "move or sell off stock, postpone open orders, or correct plan.storage and the items' volume",
    ),
    Code(
        "SC-P019",
        "the room cut orders",
        "The orders that are worth it take more volume than is left at the location.",
        "find more room, or order more often in smaller lots",
    ),
    Code(
        "SC-P020",
        "a wish was given up",
        "A service target or min_stock is not met, because a supplier's terms, the budget or the room come first.",
        "raise the limit that the message names, or lower the wish",
    ),
    Code(
        "SC-P022",
        "stock that will stay unsold",
        "A tenth or more of what is ordered is expected to outlive its shelf life, or the end of its sale; it pays all "
        "the same.",
        "negotiate smaller packs or minimums, or plan a markdown",
    ),
    Code(
        "SC-P030",
        "a lane whose shipment does not pay",
        "What could be moved along it tonight saves less than the lane's order_cost, other lanes in mind.",
        "wait until more is worth moving, or bring order_cost in lanes down",
    ),
    Code(
        "SC-P031",
        "transfers without room",
        "Transfers that would pay do not fit into the room of the location that they go to.",
        "find more room, or move other stock off",
    ),
    Code(
        "SC-P032",
        "the transfers break their own rules",
        "The independent check found a lane, pack, date or stock that does not hold: a fault of stockcast.",
        "report it with the run's manifest; nothing was published",
    ),
    Code(
        "SC-P033",
        "stock without a value to move it by",
        "A service target without a holding cost says what is wanted, not what it is worth: such stock is not moved.",
        "give unit_cost and plan.defaults.holding_rate, or holding_cost",
    ),
    Code(
        "SC-P034",
        "a lane longer than the forecast",
        "What is sent would arrive after the last period that is forecast.",
        "check lead_time_days in lanes (days), or set forecast.horizon",
    ),
    Code(
        "SC-P040",
        "a location that does not ship now",
        "Its row in suppliers has order_days, or supplier_closures names it, and this period holds no such day.",
        "nothing to do; else correct its order_days or supplier_closures",
    ),
    Code(
        "SC-P021",
        "a truck or a price break nearly reached",
        "A little more would fill the last truck or reach a discount; at its expected cost it was not worth it.",
        "add what sells soon in any case",
    ),
    Code(
        "SC-P036",
        "an order looks ahead less than asked",
        "It has more than 300 lines, or lines of a warehouse that feeds places; or the forecast ends before the "
        "reviews that plan.reviews_ahead asks for.",
        "set forecast.horizon: auto; plan.order_scope: supplier_location makes smaller orders",
    ),
    Code(
        "SC-P037",
        "an order was not planned ahead",
        "The plan over several reviews broke a rule, cost more than the one up to the next review, or had no solver.",
        "look at solves in manifest.json; plan.reviews_ahead: 1 turns it off",
    ),
    Code(
        "SC-P035",
        "cut by rank",
        "plan --rank-by value --budget B spends down the ranking by value until B; this line comes after, or what "
        "is left of its order misses its price break.",
        "raise --budget, or leave the choice to the optimizer with plan.budget",
    ),
)
