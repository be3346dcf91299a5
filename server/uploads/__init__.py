"""Files on their way in, one by one and in parts, until a document names them: of submissions today, of whatever takes files tomorrow."""
