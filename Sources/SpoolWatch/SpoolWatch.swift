// SpoolWatch
