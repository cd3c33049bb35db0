"""The programs `train` (SageMaker) and `predict` (AWS Batch) around the package `model`."""
