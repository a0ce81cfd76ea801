"""What a trained run says of clips that no data set has."""
