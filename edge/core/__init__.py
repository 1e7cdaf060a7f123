"""The gateway's judgement: pure folds over readings, orders, receipts and time. No clock, no await, no I/O."""
