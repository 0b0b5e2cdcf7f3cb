"""The ground floor: axes, errors, random streams, findings and the map over chunks; it imports nothing above itself."""
