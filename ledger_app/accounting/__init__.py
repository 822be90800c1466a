"""What is handed to accounting programs: profiles, slips, and what was handed over of which period."""
