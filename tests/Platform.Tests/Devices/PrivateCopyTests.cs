using FastXen.Platform.Block;

namespace FastXen.Platform.Tests.Devices;

public sealed class PrivateCopyTests
{
    [Fact]
    public void What_is_written_is_read_back_and_the_origin_stays()
    {
        const int Length = 200_704;
        string path = Path.GetTempFileName();
        try
        {
            byte[] origin = new byte[Length];
            new Random(5).NextBytes(origin);
            File.WriteAllBytes(path, origin);
            byte[] model = [.. origin];
            using (var copy = new PrivateCopy(RawImage.Open(path, readOnly: true), isReadOnly: false))
            {
                Assert.Equal(Length, copy.Length);
                Assert.False(copy.IsReadOnly);
                var random = new Random(6);
                for (int n = 0; n < 300; n++)
                {
                    int position = random.Next(Length / 512) * 512, size = Math.Min(Length - position, random.Next(1, 300) * 512);
                    byte[] buffer = new byte[size];
                    if (random.Next(4) == 0)
                    {
                        random.NextBytes(buffer);
                        copy.Write(position, buffer);
                        buffer.CopyTo(model, position);
                    }
                    else
                    {
                        copy.Read(position, buffer);
                        Assert.True(buffer.AsSpan().SequenceEqual(model.AsSpan(position, size)));
                    }
                }
            }

            Assert.Equal(origin, File.ReadAllBytes(path));
            Assert.NotEqual(origin, model);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
