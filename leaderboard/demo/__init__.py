"""The demo competition: real data sets, really trained models, computed scores."""
