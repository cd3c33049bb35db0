"""The local AWS: the services that Claimflow uses, in one process, with no account and no Docker.

ministack answers the AWS APIs; the modules here add what it lacks and correct where it is kinder than AWS:

    cli, lifecycle, job_logs    the commands up, down, reset, status, env and logs
    kept, keeper                what outlasts the server, and how it is written
    settings, identity          where things lie; whether a process is still the one that was started
    server, patches             starts ministack in this process; checks each private part that is replaced
    processes, launch, warden   the programs that the server starts, and that end with it
    cloudwatch, storage,
    clients, service_errors     what every job needs: its log, its files
    sagemaker, training_jobs,
    training_requests,
    training_files,
    model_registry              Amazon SageMaker
    batch, batch_jobs,
    batch_requests              AWS Batch
    step_functions, executions,
    walk, redrive, integrations,
    history                     AWS Step Functions
    lambda_errors, lambda_code  AWS Lambda
    upload_events, log_queries  details of S3 events and of CloudWatch Logs
    cloudformation              resource types that `sam deploy` needs
    networks                    the same for a private network

Nothing of the product imports it. It runs in an environment of its own, `.venv/local`.
"""
