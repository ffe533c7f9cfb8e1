"""The watch: detectors over the stream of observations, and the findings that they raise."""
