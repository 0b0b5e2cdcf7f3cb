"""Forecasters: each is fitted on a Panel and predicts a DemandForecast."""
