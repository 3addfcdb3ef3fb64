# The image of every process of Rabta; compose.yaml says which runs what.
FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /srv/rabta rabta && mkdir /srv/data && chown rabta /srv/data
WORKDIR /srv/rabta
COPY requirements.txt .
# boto3: for files in S3 (MEDIA_STORAGE), which several machines need.
RUN pip install --no-cache-dir --disable-pip-version-check -r requirements.txt boto3==1.44.8
COPY --chown=rabta . .
USER rabta
ENV DATA_DIR=/srv/data HOST=0.0.0.0 SMTP_IN_HOST=0.0.0.0 PYTHONUNBUFFERED=1
RUN DATA_DIR=/tmp/build python manage.py compilemessages && rm -rf /tmp/build
