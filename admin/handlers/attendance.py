"""The pages of a class's sessions: the timetable, the roll of one session and the classroom screen."""
