"""stockcast: from a retailer's sales history to the orders that should go out tonight."""
