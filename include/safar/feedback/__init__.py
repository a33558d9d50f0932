"""What came back: settles unknown messages and checks that every figure adds up."""
