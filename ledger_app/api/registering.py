"""What registering members takes in the API, and what it answers."""

from rest_framework import serializers

from config.doors.api.fields import KeyField, ListOfField
from config.doors.api.input import Input
from config.doors.api.views import Output


class RegisteredInput(Input):
    """A member to be registered."""

    member_number = KeyField(max_length=64)
    name = KeyField(max_length=100, required=False, allow_blank=True, default="")
    card_tokens = ListOfField(child=KeyField(max_length=64), required=False, default=list)
    card_numbers = ListOfField(child=KeyField(max_length=64, may_be_card=True), required=False, default=list)


class MembersInput(Input):
    """Members to be registered."""

    members = RegisteredInput(many=True)


class FoundWrongOutput(Output):
    """What is wrong with a member: its place in the list, counted from 1."""

    line = serializers.IntegerField()
    column = serializers.CharField()
    code = serializers.CharField()
    sentence = serializers.CharField()
    facts = serializers.DictField()


class RegisteredOutput(Output):
    """What became of a list of members. With findings nobody was registered."""

    rows = serializers.IntegerField()
    new = serializers.IntegerField()
    there = serializers.IntegerField()
    repeated = serializers.IntegerField()
    accounts = serializers.IntegerField()
    finding_count = serializers.IntegerField()
    findings = FoundWrongOutput(many=True)
