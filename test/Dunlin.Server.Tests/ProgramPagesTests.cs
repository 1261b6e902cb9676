namespace Dunlin.Server.Tests;

public sealed class ProgramPagesTests
{
    [Fact]
    public void Only_unchanged_ranges_of_the_program_are_unmapped()
    {
        string[] smaps =
        [
            "10000000-10042000 r--p 00000000 08:01 11 /usr/bin/my dunlin",
            "Size:                264 kB",
            "Anonymous:             0 kB",
            "VmFlags: rd mr mw me",
            "10042000-11000000 r-xp 00042000 08:01 11 /usr/bin/my dunlin",
            "Anonymous:             0 kB",
            "11000000-11003000 r--p 01000000 08:01 11 /usr/bin/my dunlin", // relocated
            "Anonymous:            12 kB",
            "11003000-11090000 rw-p 01003000 08:01 11 /usr/bin/my dunlin",
            "Anonymous:             0 kB",
            "7f0000000000-7f0000008000 rw-s 00000000 08:01 12 /var/lib/dunlin/dunlin.db-shm",
            "Anonymous:             0 kB",
            "7f0000010000-7f0000012000 r--p 00000000 00:00 0 [vvar]",
            "Anonymous:             0 kB",
            "7f0000014000-7f0000016000 r--p 00000000 08:01 13 /etc/ld.so.cache",
            "Anonymous:             0 kB",
            "7f0000020000-7f0000022000 r--p 00000000 00:00 0 ",
            "Anonymous:             0 kB",
            "",
        ];
        Assert.Equal(
            [((nint)0x10000000, (nuint)0x42000), ((nint)0x10042000, (nuint)0xfbe000)],
            ProgramPages.Unchanged("/usr/bin/my dunlin", smaps)
        );
    }

    [Fact]
    public void The_program_works_on_after_its_pages_are_unmapped()
    {
        Assert.Equal(OperatingSystem.IsLinux(), ProgramPages.Release(ProgramPages.Find()) > 0);
        GC.Collect();
        Assert.Throws<FormatException>(() => int.Parse("none", System.Globalization.CultureInfo.InvariantCulture));
    }
}
