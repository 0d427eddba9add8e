"""Amazon Machine Images. https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/AMIs.html"""
