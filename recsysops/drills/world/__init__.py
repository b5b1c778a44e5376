"""The simulated service: a video-streaming recommender as a pipeline of stages that keeps its logs in the data contract."""
