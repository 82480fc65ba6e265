"""The demo: three fictional operators on real roads of Viet Nam, built into a GTFS feed and put on sale."""
