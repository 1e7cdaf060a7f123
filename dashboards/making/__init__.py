"""What dashboards are made of: words, queries, panels, boards, alert rules, and the files they become."""
