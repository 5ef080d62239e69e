"""What ministack lacks of Parameter Store, and what a test needs to steer it."""
