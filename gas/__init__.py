"""What things cost: schedules of prices as data, and the meter that counts them down."""
