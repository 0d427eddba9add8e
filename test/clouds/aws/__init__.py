"""A test cloud that answers as AWS does where Bakehouse depends on it: moto, extended in process.

Started as `python3 -m aws` with moto and this folder's parent on PYTHONPATH. Each behaviour that moto lacks is a small module here that
names the page of the AWS documentation it comes from. `gate.py` is the way in: every request goes through it.
"""
