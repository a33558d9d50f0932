"""The company's sendgrid."""
