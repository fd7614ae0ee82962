using System.ComponentModel.DataAnnotations;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Options;

namespace MinimalMcp.Governance;

/// <summary>The log file. Configuration section <c>Logging:File</c>.</summary>
internal sealed class LogFileOptions : IValidatableObject
{
    /// <summary>
    /// The path of the file; without one none is written. A relative path is relative to the current directory.
    /// </summary>
    public string? Path { get; set; }

    /// <summary>The size at which the file is rotated: PATH becomes PATH.1, PATH.1 becomes PATH.2, and so on.</summary>
    public long MaxBytes { get; set; } = 10L << 20;

    /// <summary>The number of files, including the current one.</summary>
    public int MaxFiles { get; set; } = 5;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        if (MaxBytes is < 10_000 or > 1L << 40)
        {
            yield return new("Logging:File:MaxBytes must be between 10000 and 1099511627776.");
        }

        if (MaxFiles is < 1 or > 1000)
        {
            yield return new("Logging:File:MaxFiles must be between 1 and 1000.");
        }

        if (Path is { Length: > 0 } && Problem(Path) is { } problem)
        {
            yield return new($"Logging:File:Path (LOG_FILE) is '{Path}', which cannot be written: {problem}");
        }
    }

    internal FileStream Open()
    {
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
        };
        if (!OperatingSystem.IsWindows())
        {
            // The log contains callers and addresses: it is not for every user of the machine.
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;
        }

        return new(System.IO.Path.GetFullPath(Path!), options);
    }

    private string? Problem(string path)
    {
        try
        {
            if (System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) is { } folder)
            {
                Directory.CreateDirectory(folder);
            }

            using var file = Open();
            return null;
        }
        catch (Exception failure)
            when (failure is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return failure.Message;
        }
    }
}

/// <summary>
/// Writes log entries to a file, with a time, without secrets, and with bounded size. A full disk stops only the file.
/// </summary>
[ProviderAlias("File")]
internal sealed class LogFile : ILoggerProvider
{
    private const int MaxCharacters = 32_000;

    private readonly LogFileOptions _options;
    private readonly Redactor _redactor;
    private readonly TimeProvider _time;
    private readonly Lock _lock = new();
    private FileStream? _file;

    public LogFile(IOptions<LogFileOptions> options, Redactor redactor, TimeProvider time)
    {
        (_redactor, _time) = (redactor, time);
        try
        {
            _options = options.Value;
        }
        catch (OptionsValidationException)
        {
            _options = new(); // reported with the other invalid settings
        }
    }

    public ILogger CreateLogger(string categoryName) => new Logger(this, categoryName);

    public void Dispose()
    {
        lock (_lock)
        {
            _file?.Dispose();
            _file = null;
        }
    }

    private void Write(string entry)
    {
        if (_options.Path is not { Length: > 0 } path)
        {
            return;
        }

        var bytes = Encoding.UTF8.GetBytes(entry);
        lock (_lock)
        {
            try
            {
                _file ??= _options.Open();
                if (_file.Length > 0 && _file.Length + bytes.Length > _options.MaxBytes)
                {
                    Rotate(Path.GetFullPath(path));
                }

                _file.Write(bytes);
                _file.Flush();
            }
            catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
            {
                _file?.Dispose();
                _file = null; // the next entry tries again
            }
        }
    }

    private void Rotate(string path)
    {
        _file!.Dispose();
        _file = null;
        for (var number = _options.MaxFiles - 1; number > 0; number--)
        {
            var from = number == 1 ? path : $"{path}.{number - 1}";
            if (File.Exists(from))
            {
                File.Move(from, $"{path}.{number}", overwrite: true);
            }
        }

        if (_options.MaxFiles == 1)
        {
            File.Delete(path);
        }

        _file = _options.Open();
    }

    private sealed class Logger(LogFile file, string category) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel is not LogLevel.None;

        public void Log<TState>(
            LogLevel logLevel,
            EventId eventId,
            TState state,
            Exception? exception,
            Func<TState, Exception?, string> formatter
        )
        {
            var time = file._time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
            var text = $"{time} {logLevel}: {category}: {formatter(state, exception)}";
            text = TextLimit.Cut(exception is null ? text : $"{text}\n{exception}", MaxCharacters);
            file.Write(SanitizedText.Show(file._redactor.Clean(text)) + "\n");
        }
    }
}
