"""The Temporal Fusion Transformer over all series at once: pytorch-forecasting's network, fed by index on the device."""
